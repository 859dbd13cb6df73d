By0J<¤°ŽC™YC¸UB\#C…«
CáúUCRxàCnÀC™yD®YBáÚC3óC^D=
wC)\}B