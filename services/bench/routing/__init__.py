"""What plans are worth on a mesh whose memory is small: live runs, and plans replayed offline."""
