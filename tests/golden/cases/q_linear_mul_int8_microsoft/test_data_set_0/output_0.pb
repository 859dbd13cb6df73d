By0J<rfEcfex.dMuln(e#kßYFHaÝ<eG4î_3^_ÕbteaÂ{fu^
