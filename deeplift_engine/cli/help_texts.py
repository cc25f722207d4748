"""The longer texts of ``--help``."""

from __future__ import annotations

from deeplift_engine.cli.console import PROGRAM

TARGETS = """\
  3         unit 3                         all          every unit, one after another
  2,5       unit (2, 5) of two axes        2,:          the sum of units (2, 0), (2, 1) ...
  3-5       unit 3 minus unit 5            mean:3       unit 3 minus the mean of all units
  @FILE.npy integers: one unit per sample; other numbers: weights over the units
  Without --target it is the only unit; for `check`, a random weighted sum of all units."""

REFERENCES = """\
  zeros                 constant:0.25         background:0.3,0.2,0.2,0.3
  shuffle:20            dinucleotide_shuffle:20          (20 per sample, from --seed)
  gc_matched:20         kmer_shuffle:3:20                (20, words of 3 letters kept)
  drawn:20:FILE.npy     (20 of the file's, per sample)   blur:2 or blur:2,8
  replaced:103          replaced:103:0,101,102           (tokens: all but 0, 101, 102 by 103)
  FILE.npy              one, or one or K for each sample
  shared:FILE.npy       every sample with each of them   (also .npz and .h5, as FILE.h5:KEY)"""

AUTO = """\
  auto in place of 20 adds references until standard errors are small, of deeplift and of methods
  along paths."""

RULES = """\
  rescale            reveal_cancel             genomics_default   gradient
  guided_backprop    guided_backprop_rescale   deconvnet          pass_through
  genomics_default is Rescale after convolutions and RevealCancel after dense layers.
  Of --rule, the first that fits wins. LAYER is a layer's name, class:Conv1D (all of a class),
  after:dense or after:convolution (activations that such layers feed)."""

EXIT_CODES = """\
exit codes:
  0  done
  1  a check failed: `check`, or `score --strict` whose contributions do not sum
  2  wrong usage
  3  the model cannot be read, or has something without an exact rule
  4  the inputs, the target, the references or the rules do not fit the model
  5  the result could not be written
  70  a fault of the program itself; please report it
  130  interrupted"""

DESCRIPTION = """\
DeepLIFT contribution scores, and those of other methods, from a saved Keras model of any age
(.h5, .hdf5, .keras, or weights with a JSON or YAML architecture)."""

EXAMPLES = f"""\
examples:
  {PROGRAM} inspect model.h5
  {PROGRAM} score model.h5 sequences.npy -o scores.h5 --references dinucleotide_shuffle:20
  {PROGRAM} check model.h5
  {PROGRAM} sweep model.h5 sequences.npy --references zeros --references shuffle:20
  {PROGRAM} methods

`{PROGRAM} COMMAND --help` explains a command.

{EXIT_CODES}"""

INSPECT = f"""\
rules:
{RULES}

examples:
  {PROGRAM} inspect model.h5
  {PROGRAM} inspect weights.h5 --architecture model.json --theano-kernels
  {PROGRAM} inspect model.keras --rules genomics_default --rule conv1d_1=gradient --json
  {PROGRAM} inspect model.h5 --custom my_layers.py

{EXIT_CODES}"""

SCORE = f"""\
targets:
{TARGETS}

references:
{REFERENCES}
{AUTO}

rules:
{RULES}

examples:
  {PROGRAM} score model.h5 sequences.npy -o scores.h5 --rules genomics_default
  {PROGRAM} score model.h5 sequences.h5 --key onehot -o scores.npz --target 0 --target 2 \\
      --references dinucleotide_shuffle:20 --seed 1 --hypothetical
  {PROGRAM} score model.h5 images.npy -o scores.h5 --target 8-3 \\
      --rule dense_1=reveal_cancel --strict
  {PROGRAM} score model.h5 both.npz -o scores.h5 --key left=a --key right=b \\
      --references left=zeros --references right=constant:0.5

{EXIT_CODES}"""

COMPARE = f"""\
targets:
{TARGETS}

references:
{REFERENCES}

methods and metrics:
  `{PROGRAM} methods` and `{PROGRAM} metrics` list them.
  Options follow behind a colon, with semicolons between, and in quotes, as a shell ends a command
  at a semicolon: --method 'integrated_gradients:steps=20;rule=left'

examples:
  {PROGRAM} compare model.h5 sequences.npy --target 0
  {PROGRAM} compare model.h5 images.npy --target 3 --method deeplift --method occlusion:window=3 \\
      --method deeplift:rules=reveal_cancel --metric deletion -o table.csv -o figure.png
  {PROGRAM} compare model.h5 tokens.npy --target 0 --layers embedding
  {PROGRAM} compare model.h5 sequences.npy --target 0 --groups positions \\
      --method deeplift --method 'integrated_gradients:steps=20;rule=left'

{EXIT_CODES}"""

SWEEP = f"""\
targets:
{TARGETS}

references:
{REFERENCES}

examples:
  {PROGRAM} sweep model.h5 sequences.npy --target 0 --references zeros \\
      --references dinucleotide_shuffle:20 --rules rescale --rules reveal_cancel \\
      -o table.csv -o figure.png
  {PROGRAM} sweep model.h5 both.npz --references 'left=zeros;right=shuffle:10' --references zeros

{EXIT_CODES}"""

METHODS = f"""\
An option is given to `score` as --option NAME=VALUE: a number, a word, a list such as [1,2], or
@FILE.npy for an array.

examples:
  {PROGRAM} methods
  {PROGRAM} methods integrated_gradients
  {PROGRAM} score model.h5 images.npy -o scores.h5 --method integrated_gradients \\
      --option steps=50 --option rule=midpoint --target 3

{EXIT_CODES}"""

METRICS = f"""\
An option is given to `compare` behind a colon: --metric 'sensitivity_n:draws=50;seed=1'

examples:
  {PROGRAM} metrics
  {PROGRAM} metrics deletion
  {PROGRAM} compare model.h5 images.npy --target 3 --metric deletion:steps=10

{EXIT_CODES}"""

CHECK = f"""\
targets:
{TARGETS}

references:
{REFERENCES}

rules:
{RULES}

examples:
  {PROGRAM} check model.h5
  {PROGRAM} check model.h5 sequences.npy --samples 32 --references shuffle:1 --dtype float64

{EXIT_CODES}"""
