
user_idu005d	
age+
city
shanghai
weight%33‡B.
raw_3%Ê"
 •î®³!ÿç?äôõ|Íòç?–´â
Ÿİ?êZ{ŸªÂæ?,
map_1#r!

5}??

7022F¶s>

0NbP?0
click'ê$


rŠ?¢´w?


·bŸ>¸e?


¬
?e>Ÿ
history“º
	item_0124
	item_0284
	item_0055
	item_0055
	item_0299
	item_0226
	item_0095
	item_0135
	item_0242
	item_0088
	item_0034
	item_0115
	item_0089]
history__tsNL0.652;0.68;0.429;0.783;0.428;0.145;0.091;0.146;0.726;0.505;0.141;0.946;0.012	item_0002	item_0203	item_0201	item_0255	item_0000	item_0030	item_0012	item_0158	item_0031	item_0072	item_0185	item_0139	item_0230	item_0104	item_0241	item_0131	item_0034	item_0057	item_0064	item_0204	item_0028	item_0043	item_0160	item_0014	item_0146	item_0074	item_0079	item_0165	item_0157	item_0269	item_0085	item_0207	item_0080	item_0105	item_0161	item_0088	item_0262	item_0176	item_0026	item_0103"©
hour 


	



	

















	

	














