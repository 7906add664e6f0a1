"""The actions of the manager interface, by what they are about. `table` lists them."""
