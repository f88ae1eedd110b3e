"""Work done before it is certain to be needed, so that the verdict is there when the end is."""
