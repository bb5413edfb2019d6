// Package plan tells the people of a file apart: which rows the source named
// before, which are new, whom new ones belong to, and who is gone. It changes
// nothing. What it needs beside the files it sorts does not grow with them, but
// for some bits a row, and 8 bytes a row once rows belong together.
package plan
