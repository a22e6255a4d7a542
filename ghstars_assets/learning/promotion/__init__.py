"""Who serves: the comparison of two versions, the decision, its log, and decisions by hand."""
