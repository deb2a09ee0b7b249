"""One file a rule, in seven folders named after the seven categories. The file's name is the rule's name."""
