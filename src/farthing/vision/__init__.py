"""What applications on images share."""
