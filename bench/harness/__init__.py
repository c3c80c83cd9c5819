"""What every case of the bench needs: processes and their costs, load, statistics, reports. One idea a file."""
