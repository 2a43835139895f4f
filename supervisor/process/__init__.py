"""Starting, following and ending a process tree."""
