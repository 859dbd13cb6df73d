//! Optimising passes over a copy of the graph. The optimised graph never leaves the engine.
