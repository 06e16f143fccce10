"""Workers in other processes: framing, model requests, worker pool, process and Ray starters."""
