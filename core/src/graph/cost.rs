//! What a graph weighs: parameters, bytes of weights, multiply-accumulates, and the activation peak.
