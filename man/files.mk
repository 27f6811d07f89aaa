# Manual pages.
dist_man_MANS += man/evenmail.yaml.5
