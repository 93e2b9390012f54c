"""Records and protocols that every room shares: case, axes, workflow, transcript, episode, figures."""
