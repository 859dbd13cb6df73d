Bx0J€¢yD}¿yDªIzDçyDfÖyD¦£yDZ”yDö(zD¼”yDÍÔyD}zD^BzD\ÇyD*zD‡>zD)ÌyDòbzDbÀyDáRzDôzD²ÝyD#ûyDÓ}zDBàyDorzD3ÃyD“¨yD;×yD
ßyD‡zD¶yDå0zD