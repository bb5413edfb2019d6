package protocol

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// CustomType is what a custom value holds.
type CustomType string

// The types of custom values.
const (
	CustomText   CustomType = "text"
	CustomNumber CustomType = "number" // decimal, as it is written
	CustomChoice CustomType = "choice" // one of the choices, spelled as there
)

// Custom defines a value of the installation's own.
type Custom struct {
	Field   Field      `cbor:"field" json:"field"` // starts with CustomPrefix
	Type    CustomType `cbor:"type" json:"type"`
	Title   string     `cbor:"title,omitempty" json:"title,omitempty"`     // for people; the name itself if empty
	Choices []string   `cbor:"choices,omitempty" json:"choices,omitempty"` // of CustomChoice, in the order to show them
}

// maxCustomName is the longest name, without CustomPrefix, and maxChoices how
// many choices people can still choose from.
const (
	maxCustomName = 40
	maxChoices    = 200
)

// Valid reports what is wrong with a definition.
func (c Custom) Valid() error {
	name, custom := strings.CutPrefix(string(c.Field), CustomPrefix)
	switch {
	case !custom:
		return fmt.Errorf("the name of a custom value starts with %s, like %splate", CustomPrefix, CustomPrefix)
	case name == "" || len(name) > maxCustomName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		return fmt.Errorf("%s: a name is 1 to %d of a-z, 0-9, _ and -", c.Field, maxCustomName)
	case len(c.Title) > 128:
		return fmt.Errorf("%s: the title is longer than 128 bytes", c.Field)
	}
	switch c.Type {
	case CustomText, CustomNumber:
		if len(c.Choices) > 0 {
			return fmt.Errorf("%s: only a %s has choices, not a %s", c.Field, CustomChoice, c.Type)
		}
	case CustomChoice:
		return c.validChoices()
	default:
		return fmt.Errorf("%s: a type is %s, %s or %s", c.Field, CustomText, CustomNumber, CustomChoice)
	}
	return nil
}

func (c Custom) validChoices() error {
	if len(c.Choices) == 0 || len(c.Choices) > maxChoices {
		return fmt.Errorf("%s: name 1 to %d choices", c.Field, maxChoices)
	}
	for i, choice := range c.Choices {
		switch {
		case choice == "" || choice != strings.TrimSpace(choice) || len(choice) > 128:
			return fmt.Errorf("%s: a choice has 1 to 128 bytes and no blanks around", c.Field)
		case slices.ContainsFunc(c.Choices[:i], func(o string) bool { return strings.EqualFold(o, choice) }):
			return fmt.Errorf("%s: %q is named twice", c.Field, choice)
		}
	}
	return nil
}

// Check reports why a value cannot be one of this field; NULL can.
func (c Custom) Check(v Value) error {
	switch {
	case v.IsNull():
		return nil
	case v.Second != "":
		return fmt.Errorf("%s is one value, not a pair", c.Field)
	case c.Type == CustomNumber:
		return c.checkNumber(v.First)
	case c.Type == CustomChoice && !slices.Contains(c.Choices, v.First):
		if i := slices.IndexFunc(c.Choices, func(o string) bool { return strings.EqualFold(o, v.First) }); i >= 0 {
			return fmt.Errorf("%s is spelled %q", c.Field, c.Choices[i])
		}
		return fmt.Errorf("%s is one of: %s", c.Field, strings.Join(c.Choices, ", "))
	}
	return nil
}

// checkNumber takes what people write as a number, not what programs do (1e3,
// 0x10, Inf), and keeps it as it is written.
func (c Custom) checkNumber(s string) error {
	_, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Trim(s, "+-.0123456789") != "" {
		return fmt.Errorf("%s is a number like 12 or -3.5", c.Field)
	}
	return nil
}
