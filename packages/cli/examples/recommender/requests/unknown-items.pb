
user_idu002d	
age
cityxian
weight%š™qB.
raw_3%Ê"
 ­jIG9ë?äf¸ŸŸç?˜LŒJêá?ŞJ
,€™?/
map_1&r$

1627ìQø?

7022Õxù?

5B`¥>$
clickê


ˆ…Z>şe7?


-ò>¶„,?/
history$º!
	item_0190
	item_0247
	item_0258"
history__ts0.004;0.797;0.147	item_0020no such item	item_0021	å¦ä¸€ä¸ª"
hour



