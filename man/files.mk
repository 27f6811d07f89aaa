# Manual pages.
dist_man_MANS += man/evenmail.yaml.5
dist_man_MANS += man/evenmail-journal.5
dist_man_MANS += man/evenmail.1
