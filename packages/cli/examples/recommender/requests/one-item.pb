
user_idu000d	
age
cityxian
weight%ff€B.
raw_3%Ê"
 “âã²é?/N|µ£¸å?T©Ù­Àî?Þrõc“|ç?1
map_1(r&

1627?5^?


866bX>

7022®÷?$
clickê


¼tc?´Y%?


¤ßþ>?6?/
history$º!
	item_0280
	item_0280
	item_0244"
history__ts0.236;0.533;0.946	item_0042"
hour
	