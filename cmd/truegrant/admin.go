package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/uuid"
	"github.com/spf13/cobra"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/storage"
)

// adminFlags are the flags of the commands for operators.
type adminFlags struct {
	sources        *conf.Sources
	aud            string
	confirm, admin bool
}

func adminCommand(sources *conf.Sources) *cobra.Command {
	flags := &adminFlags{sources: sources}
	create := &cobra.Command{
		Use: "createuser EMAIL PASSWORD [ROLE]", Short: "Create a user", Args: cobra.MaximumNArgs(3), RunE: flags.createUser,
	}
	create.Flags().BoolVar(&flags.confirm, "confirm", false, "confirm the address")
	create.Flags().BoolVar(&flags.admin, "admin", false, "give the administrators' role, unless ROLE is given")
	remove := &cobra.Command{
		Use: "deleteuser ID|EMAIL", Short: "Delete a user and all that belongs to it",
		Args: cobra.MaximumNArgs(1), RunE: flags.deleteUser,
	}
	command := &cobra.Command{Use: "admin", Short: "Create and delete users"}
	command.PersistentFlags().StringVarP(&flags.aud, "aud", "a", "", "audience of the user, GOTRUE_JWT_AUD by default")
	command.AddCommand(create, remove)
	return command
}

// createUser writes a user without an identity, as GoTrue's command does. The
// password need not be strong. Unlike GoTrue's JSON null, the app metadata is an
// object, to which members can be added.
func (f *adminFlags) createUser(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return errors.New("Not enough arguments to createuser command. Expected at least email and password values") //nolint:staticcheck // GoTrue's sentence
	}
	email, err := accounts.NewAddresses().Email(args[0])
	if err != nil {
		return err
	}
	role := ""
	if len(args) > 2 {
		role = args[2]
	}
	err = f.withDatabase(func(cfg *conf.Config, db *storage.DB) error {
		if f.admin {
			role = cmp.Or(role, cfg.JWT.AdminGroupName)
		}
		fresh, err := f.newUser(cmd.Context(), cfg, email, args[1])
		if err != nil {
			return err
		}
		fresh.Role = role
		return insertUser(db.Conn(cmd.Context()), fresh)
	})
	if err != nil {
		return fmt.Errorf("Error creating new user: %w", err) //nolint:staticcheck // GoTrue's sentence
	}
	fmt.Fprintln(cmd.OutOrStdout(), "Created user:", email)
	return nil
}

// newUser is the row to write, its role apart.
func (f *adminFlags) newUser(ctx context.Context, cfg *conf.Config, email, plain string) (models.NewUser, error) {
	fresh := models.NewUser{
		ID: models.IDs{Random: rand.Reader}.New(), Aud: cmp.Or(f.aud, cfg.JWT.Aud), Email: email,
		AppMetadata: []byte("{}"), UserMetadata: []byte("{}"), Identities: []models.NewIdentity{},
	}
	if now := time.Now(); f.confirm || cfg.Mailer.Autoconfirm {
		fresh.EmailConfirmedAt = &now
	}
	var err error
	fresh.EncryptedPassword, err = password.New(runtime.GOMAXPROCS(0), rand.Reader).Hash(ctx, plain)
	return fresh, err
}

func insertUser(conn *storage.Conn, fresh models.NewUser) error {
	taken, err := models.FindTakenAddresses(conn, fresh.Email, "", fresh.Aud)
	if err == nil && !taken.Email {
		_, err = models.CreateUser(conn, fresh, nil, time.Now())
	}
	if taken.Email || storage.IsUnique(err, "users_email_partial_key") {
		return errors.New("user already exists")
	}
	return err
}

// deleteUser removes the owner of an address in the audience, or whom an id
// names.
func (f *adminFlags) deleteUser(cmd *cobra.Command, args []string) error {
	if len(args) < 1 {
		return errors.New("Not enough arguments to deleteuser command. Expected at least ID or email") //nolint:staticcheck // GoTrue's sentence
	}
	err := f.withDatabase(func(cfg *conf.Config, db *storage.DB) error {
		conn := db.Conn(cmd.Context())
		user, err := models.FindUserByEmail(conn, strings.ToLower(args[0]), cmp.Or(f.aud, cfg.JWT.Aud))
		if id, invalid := uuid.FromString(args[0]); errors.Is(err, storage.ErrNotFound) && invalid == nil {
			user, err = models.FindUser(conn, id)
		}
		if err != nil {
			return err
		}
		return models.DeleteUser(conn, user.ID, nil, time.Now())
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errors.New("Error removing user: no such user") //nolint:staticcheck // like GoTrue's sentences
	case err != nil:
		return fmt.Errorf("Error removing user: %w", err) //nolint:staticcheck // like GoTrue's sentences
	}
	fmt.Fprintln(cmd.OutOrStdout(), "Removed user:", args[0])
	return nil
}

// withDatabase connects to the configured database for one job.
func (f *adminFlags) withDatabase(job func(*conf.Config, *storage.DB) error) error {
	cfg, _, err := load(f.sources)
	if err != nil {
		return err
	}
	db, err := storage.Open(cfg.DB, storage.Options{ApplicationName: "truegrant admin"})
	if err != nil {
		return err
	}
	return errors.Join(job(cfg, db), db.Close())
}
