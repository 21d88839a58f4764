module our-plugin

go 1.24
