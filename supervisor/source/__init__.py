"""Training scripts as text: where the batch size stands, and how it is changed."""
