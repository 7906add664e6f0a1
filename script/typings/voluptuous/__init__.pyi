# What `import voluptuous` gives inside a current Home Assistant.
from probatio import *
