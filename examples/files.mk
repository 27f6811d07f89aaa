# Examples.
EXTRA_DIST += examples/quickstart
EXTRA_DIST += \
	examples/config/backup.yaml \
	examples/config/dovecot-ssh.yaml \
	examples/config/fastmail.yaml \
	examples/config/gmail.yaml \
	examples/config/icloud.yaml \
	examples/config/migration.yaml \
	examples/config/office365.yaml \
	examples/config/plain.yaml
