"""Linear-chain conditional random fields in pure torch: packed order, inference, losses, probabilities of spans."""
