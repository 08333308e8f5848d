"""The pages that show how it all is: a process of its own, which reads, and writes nothing but who saw them."""
