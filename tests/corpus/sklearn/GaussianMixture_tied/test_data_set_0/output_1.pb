	BprobabilitiesJHώΖ=C g?Χ:΄²?ÿp?Δp=α:n?
)=.=Eu?‰ΚK>]M?Κy?ςFή<B!b?ϊυξ=pΦ„=0eo?