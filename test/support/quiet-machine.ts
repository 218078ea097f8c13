// A test file that imports this one runs alone: it measures the machine, or expects that nothing else happens on it.
export {}
