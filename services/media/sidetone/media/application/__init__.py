"""What media can do, one file each."""
