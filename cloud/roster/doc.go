// Package roster is the center's list of all users: what every source
// contributed, what that amounts to, and which revision each user is at. Every
// change, from a reader or from the office, goes through it, in one transaction
// of its Store, and the sites follow by revision.
package roster
