package sqlstore

import (
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Runs is roster.RunReader's.
func (v view) Runs(s protocol.Source, fn func(roster.RunRow) bool) error {
	return v.runs(fn, "SELECT number, at, report FROM runs WHERE source = ? ORDER BY number DESC", s)
}

// Run is roster.RunReader's.
func (v view) Run(s protocol.Source, number uint64) (out roster.RunRow, ok bool, err error) {
	err = v.runs(func(r roster.RunRow) bool { out, ok = r, true; return false },
		"SELECT number, at, report FROM runs WHERE source = ? AND number = ?", s, int64(number))
	return out, ok, err
}

func (v view) runs(fn func(roster.RunRow) bool, query string, s protocol.Source, args ...any) error {
	r := roster.RunRow{Source: s}
	var at int64
	return v.c.each([]any{&r.Number, &at, &r.Report}, func() bool {
		r.At = time.UnixMilli(at).UTC()
		return fn(r)
	}, query, append([]any{string(s)}, args...)...)
}

// PutRun is roster.RunWriter's.
func (t tx) PutRun(r roster.RunRow) error {
	_, err := t.c.run("INSERT OR REPLACE INTO runs (source, number, at, report) VALUES (?,?,?,?)",
		string(r.Source), int64(r.Number), r.At.UnixMilli(), r.Report)
	return err
}

// Mails is roster.RunReader's.
func (v view) Mails(after uint64, fn func(roster.MailRow) bool) error {
	var r roster.MailRow
	return v.c.each([]any{&r.ID, &r.Mail}, func() bool { return fn(r) },
		"SELECT id, mail FROM mails WHERE id > ? ORDER BY id", int64(after))
}

// PutMails is roster.RunWriter's.
func (t tx) PutMails(rows []roster.MailRow) error {
	for i := range rows {
		if err := t.putMail(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t tx) putMail(r *roster.MailRow) error {
	if r.ID != 0 {
		_, err := t.c.run("INSERT OR REPLACE INTO mails (id, mail) VALUES (?,?)", int64(r.ID), r.Mail)
		return err
	}
	if _, err := t.c.run("INSERT INTO mails (mail) VALUES (?)", r.Mail); err != nil {
		return err
	}
	r.ID = uint64(t.c.n.lastID())
	return nil
}

// DropMail is roster.RunWriter's.
func (t tx) DropMail(id uint64) error {
	_, err := t.c.run("DELETE FROM mails WHERE id = ?", int64(id))
	return err
}
