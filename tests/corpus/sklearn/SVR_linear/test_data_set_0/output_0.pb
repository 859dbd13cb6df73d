	BvariableJ$òfà>¦õ˜¿¸Úí?D6Ê¿F
Ÿ=âà1ÀåaE?ŸzK¿>þ•¿