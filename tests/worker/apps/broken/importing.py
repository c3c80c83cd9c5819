import does_not_exist

does_not_exist.setup()
