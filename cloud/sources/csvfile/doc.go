// Package csvfile reads the people of a CSV file: what a clerk's program exports,
// in whatever encoding, delimiter and order of columns, a row at a time and in
// bounded memory. It decides nothing about people; it only says what each row
// says, and what is wrong with it.
package csvfile
