"""Values under many masks, of which what is alike in a tile of a layer is computed once."""
