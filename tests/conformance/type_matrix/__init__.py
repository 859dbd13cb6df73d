"""Single-node models for every operator and every element type it takes; `make_type_matrix.py` beside this folder writes them."""
