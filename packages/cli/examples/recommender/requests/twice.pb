
user_idu004d	
age>
city
hangzhou
weight%ÍÌB.
raw_3%Ê"
 ÿÎöè÷Ñ?:y‘	ø5í?úDž$Õ? µ‰“ûÞ?.
map_1%r#

5mç»>

1627Âu=


866þÔ?$
clickê


D‹l>Ë¡¥>


±P{?và\?[
historyPºM
	item_0297
	item_0106
	item_0246
	item_0285
	item_0148
	item_0295
	item_00859
history__ts*(0.824;0.66;0.501;0.652;0.688;0.163;0.712	item_0050	item_0050	item_0051"
hour


	