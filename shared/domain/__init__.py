"""The words of the product as types: no I/O, no azure."""
