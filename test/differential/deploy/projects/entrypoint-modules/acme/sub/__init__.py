from acme.flows import paint as painter
