"""What is made of the sources for others: documents' tables, the package, the template. Nothing of it ships."""
