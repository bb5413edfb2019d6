package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"doorsync/protocol"
)

// FieldPath names a custom value.
type FieldPath struct {
	Name string `path:"name" maxLength:"64"`
}

func (s *service) fieldRoutes(h huma.API) {
	huma.Register(h, operation(h, http.MethodGet, "/fields", "list-fields", "List the custom values that are defined"),
		func(context.Context, *struct{}) (*answer[FieldList], error) {
			out := FieldList{Fields: []Field{}}
			for _, c := range s.roster.Fields() {
				out.Fields = append(out.Fields, fieldOf(c))
			}
			return &answer[FieldList]{Body: out}, nil
		})
	huma.Register(h, operation(h, http.MethodPut, "/fields/{name}", "put-field", "Define a custom value"), s.putField)
	drop := operation(h, http.MethodDelete, "/fields/{name}", "drop-field", "Forget the definition of a custom value")
	drop.DefaultStatus = http.StatusNoContent
	huma.Register(h, drop, func(ctx context.Context, in *FieldPath) (*struct{}, error) {
		if err := s.roster.DropField(ctx, actor(ctx), customField(in.Name)); err != nil {
			return nil, s.fault(ctx, err)
		}
		return nil, nil
	})
}

func (s *service) putField(ctx context.Context, in *struct {
	FieldPath
	Body FieldDefinition
},
) (*answer[Field], error) {
	c := protocol.Custom{Field: customField(in.Name), Type: protocol.CustomType(in.Body.Type), Title: in.Body.Title, Choices: in.Body.Choices}
	err := s.roster.PutField(ctx, actor(ctx), c)
	return reply(s, ctx, fieldOf(c), err)
}

func fieldOf(c protocol.Custom) Field {
	return Field{
		Name:            strings.TrimPrefix(string(c.Field), protocol.CustomPrefix),
		FieldDefinition: FieldDefinition{Type: string(c.Type), Choices: c.Choices, Title: c.Title},
	}
}

// customField takes a name with or without the prefix.
func customField(name string) protocol.Field {
	return protocol.Field(protocol.CustomPrefix + strings.TrimPrefix(name, protocol.CustomPrefix))
}
