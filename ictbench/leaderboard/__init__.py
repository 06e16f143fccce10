"""The leaderboard: submissions, what was checked of them, and the board that is built from both."""
