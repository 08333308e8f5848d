"""What watches a model after its training: drift, performance, and the reasons to train anew."""
