"""What is written about the project, and the program that draws its imports."""
