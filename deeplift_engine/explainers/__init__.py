"""Attribution methods;  has them all."""
