module container-registry/image

go 1.25.0
