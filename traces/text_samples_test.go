package traces

// textSamples are written as the descriptions of the corpora have them.
var textSamples = []sample{
	{
		format: "csv", name: "libCacheSim", confidence: Likely,
		data:   "version,time,op,size,lbn\n1,5633898,2a,512,42932745\n1,5633899,28,4096,42932746\n",
		want:   []string{"5633898000000000 42932745 512 set 0", "5633899000000000 42932746 4096 get 0"},
		report: []string{`id is field 5 "lbn", size is field 4 "size", time is field 2 "time", op is field 3 "op"`},
	},
	{
		format: "csv", name: "by number", confidence: No, args: Args{"columns": "id=2,size=3,time=1,op=4,ttl=5,next=6", "time-unit": "ms"},
		data: "0.5,a,10,GET,60,2\n1,a,10,set,,-1\r\n\n2,b c,5,Delete,0,-1",
		want: []string{`500000 "a" 10 get 60`, `1000000 "a" 10 set 0`, `2000000 "b c" 5 delete 0`},
	},
	{
		format: "csv", name: "by name", confidence: No, args: Args{"columns": "id=file,size=n", "delimiter": "semicolon"},
		data: "n;file;x\n10;a,b;1\n20; c ;2\n", want: []string{`0 "a,b" 10 get 0`, `0 "c" 20 get 0`},
	},
	{
		format: "csv", name: "Cloudflare 2025", confidence: Likely,
		data:   "timestamp,key,zone,size,expiry_time,stale_time,method,mime\n1,a,1,10,60,0,0,text/plain\n2,b,7,20,120,0,0,image/png\n",
		want:   []string{`1000000000 "a" 10 get 0`, `2000000000 "b" 20 get 0`},
		report: []string{`id is field 2 "key", size is field 4 "size", time is field 1 "timestamp"`},
	},
	{
		format: "csv", name: "quoted", confidence: Likely,
		data: `"url","bytes"` + "\n" + `"/a,""b""",10` + "\n" + `/c,"20"` + "\n",
		want: []string{`0 "/a,\"b\"" 10 get 0`, `0 "/c" 20 get 0`},
	},
	{
		format: "csv", name: "dates", confidence: Likely,
		data: "timestamp,key,size\n1970-01-01T00:00:01Z,a,1\n1970-01-01 00:00:02.5,b,1\n1970-01-01T01:00:03+01:00,c,1\n3.25,d,1\n",
		want: []string{`1000000000 "a" 1 get 0`, `2500000000 "b" 1 get 0`, `3000000000 "c" 1 get 0`, `3250000000 "d" 1 get 0`},
	},
	{
		format: "csv", name: "header of numbers", confidence: No, args: Args{"header": "yes", "columns": "id=2"},
		data: "1,2\n3,4\n", want: []string{"0 4 1 get 0"}, report: []string{"every object has size 1"},
	},
	{
		format: "csv", name: "no header", confidence: No, args: Args{"header": "no", "columns": "id=1"},
		data: "a,b\nc,d\n", want: []string{`0 "a" 1 get 0`, `0 "c" 1 get 0`},
	},
	{
		format: "tsv", confidence: Likely,
		data: "time\tid\tsize\n1\tx y\t10\n2\t7\t20\n", want: []string{`1000000000 "x y" 10 get 0`, "2000000000 7 20 get 0"},
	},
	{
		format: "id", confidence: Possible,
		data: "42932745\n42932746\nabc\n007\n\n42932745\n",
		want: []string{"0 42932745 1 get 0", "0 42932746 1 get 0", `0 "abc" 1 get 0`, `0 "007" 1 get 0`, "0 42932745 1 get 0"},
	},
	{
		format: "twitter", confidence: Likely,
		data: "0,q:q:1:8WTfjZU14ee,17,213,4,get,0\n0,yDqF:3q:1AJrrJ1nnCJKKrnGx1A,27,27,5,set,3600\n1,17,2,0,5,delete,0\n1,x,1,0,5,gets,0\n2,x,1,8,5,incr,5\n",
		want: []string{`0 "q:q:1:8WTfjZU14ee" 230 get 0`, `0 "yDqF:3q:1AJrrJ1nnCJKKrnGx1A" 54 set 3600`, "1 17 2 delete 0", `1 "x" 1 get 0`, `2 "x" 9 set 5`},
	},
	{
		format: "meta-kv", name: "2022", confidence: Certain,
		data:   "key,op,size,op_count,key_size\n3716425,GET,82,3,20\n3716425,SET,90,1,20\n9,DELETE,0,0,5\n",
		want:   []string{"0 3716425 102 get 0", "0 3716425 102 get 0", "0 3716425 102 get 0", "0 3716425 110 set 0"},
		report: []string{"left out: 1 request with a count of 0"},
	},
	{
		format: "meta-kv", name: "2024", confidence: Certain,
		data: "op_time,key,key_size,op,op_count,size,cache_hits,ttl,usecase,sub_usecase\n" +
			"1,a,5,GET_LEASE,2,10,1,0,u1,s1\n2,\"b,c\",6,SET,1,20,0,300,u1,s1\n3,a,5,DELETE,1,0,0,0,u1,s1\n",
		want: []string{`1 "a" 15 get 0`, `1 "a" 15 get 0`, `2 "b,c" 26 set 300`, `3 "a" 5 delete 0`},
	},
	{
		format: "ibm-object-store", confidence: Likely,
		data:   "0 REST.PUT.OBJECT 8d4fcda3d675bac9 1056\n12 REST.HEAD.OBJECT 39d177fb735ac5df 528\n40 REST.GET.OBJECT 3e3d0f1a3b9b2d2e 4096 0 4095\n55 REST.DELETE.OBJECT 8d4fcda3d675bac9\n",
		want:   []string{`0 "8d4fcda3d675bac9" 1056 set 0`, `40 "3e3d0f1a3b9b2d2e" 4096 get 0`, `55 "8d4fcda3d675bac9" 0 delete 0`},
		report: []string{"1 request of HEAD and COPY"},
	},
	{
		format: "meta-cdn", confidence: Certain,
		data: metaCDNHeader + "100,111,1,1000,500,200,-1,-1,3600,0.1,1,0,2,-,3\n101,abc,1,0,70000,200,0,65535,0,0.1,0,0,2,5,3\n1678863569123,7,1,9,9,1,-1,-1,0,1,0,0,2,-,3\n",
		want: []string{"100 111 1000 get 3600", `101 "abc" 70000 get 0`, "1678863569 7 9 get 0"},
	},
	{
		format: "meta-cdn", name: "blocks", confidence: Certain, args: Args{"block": "1000"},
		data: metaCDNHeader + "100,k,1,3500,3500,200,-1,-1,60,0.1,1,0,2,-,3\n101,k,1,3500,1500,200,1500,2999,0,0.1,0,0,2,5,3\n102,k,1,3500,0,0,3400,9999,0,1,0,0,2,5,3\n",
		want: []string{`100 "k:0" 1000 get 60`, `100 "k:1" 1000 get 60`, `100 "k:2" 1000 get 60`, `100 "k:3" 1000 get 60`,
			`101 "k:1" 1000 get 0`, `101 "k:2" 1000 get 0`, `102 "k:3" 1000 get 0`},
	},
	{
		format: "wikimedia-2019-upload", confidence: Likely,
		data: "0\t833946053\tjpeg\t9665\t1.85E-4\n0\t-1800000000\tpng\t17635\t0.09\n1\t833946053\tjpeg\t9665\t2.1\n",
		want: []string{"0 833946053 9665 get 0", `0 "-1800000000" 17635 get 0`, "1 833946053 9665 get 0"},
	},
	{
		format: "wikimedia-2019-upload", name: "header", confidence: Certain,
		data: "relative_unix\thashed_path_query\timage_type\tresponse_size\ttime_firstbyte\n5\t18446744073709551615\tgif\t1\t0.1\n",
		want: []string{"5 18446744073709551615 1 get 0"},
	},
	{
		format: "wikimedia-2019-text", confidence: Likely,
		data: "0\t833946053\t9665\t1.85E-4\n0\t45\t17635\t0.09\n2\t833946053\t0\t2.1\n",
		want: []string{"0 833946053 9665 get 0", "0 45 17635 get 0", "2 833946053 0 get 0"},
	},
	{
		format: "wikimedia-2016", confidence: Likely,
		data: "3345071\t-\timage/jpeg\t9665\tcp1048 hit(5), cp4006 frontend hit(2)\n777\t?a=1\timage/png\t100\tcp4006 miss(0)\n",
		want: []string{"0 3345071 9665 get 0", `0 "777/?a=1" 100 get 0`},
	},
	{
		format: "wikibench", confidence: Likely,
		data: "929840891 1190146243.303 http://en.wikipedia.org/wiki/Cache -\n929840893 1190146243.326 http://en.wikipedia.org/w/index.php?title=X&action=submit save\n",
		want: []string{`1190146243303 "http://en.wikipedia.org/wiki/Cache" 1 get 0`, `1190146243326 "http://en.wikipedia.org/w/index.php?title=X&action=submit" 1 set 0`},
	},
	{
		format: "tencent-photo", confidence: Likely,
		data:   "20160201000000 6ecf3d8c 0 m 12000 1 PHONE 3\n20160229235959 6ecf3d8c 5 m 8000 0 PC 0\n20160301000000 aa 1 l 5 0 PC 0\n",
		want:   []string{`1454284800 "6ecf3d8c/0/m" 12000 get 0`, `1456790399 "6ecf3d8c/5/m" 8000 get 0`},
		report: []string{"left out: 1 request of photos that are neither jpg (0) nor webp (5)"},
	},
	{
		format: "outbrain", confidence: Certain,
		data: "uuid,document_id,timestamp,platform,geo_location,traffic_source\n1fd5f051fba643,120,31905835,1,RS,2\n8557aa9004be3b,120,32053104,1,VN>44,2\n",
		want: []string{"31905835 120 1 get 0", "32053104 120 1 get 0"},
	},
	{
		format: "gradle", confidence: Likely,
		data: "0f6c1e2d3b4a59687786958493a2b1c0\nffffffffffffffffffffffffffffffff\n0f6c1e2d3b4a59687786958493a2b1c0\n",
		want: []string{`0 "0f6c1e2d3b4a59687786958493a2b1c0" 1 get 0`, `0 "ffffffffffffffffffffffffffffffff" 1 get 0`, `0 "0f6c1e2d3b4a59687786958493a2b1c0" 1 get 0`},
	},
	{
		format: "lrb", confidence: Possible,
		data: "1 5 120 0 3\n2 6 64 1 65535\n4 5 120 0 3\n", want: []string{"1 5 120 get 0", "2 6 64 get 0", "4 5 120 get 0"},
	},
	{
		format: "webcachesim-ant", confidence: Likely,
		data: "2 0 1 120\n4294967295 0 2 64\n4294967295 1 1 120\n", want: []string{"0 1 120 get 0", "0 2 64 get 0", "1 1 120 get 0"},
	},
	{
		format: "msr", confidence: Likely,
		data:   "128166372003061629,hm,0,Read,383496192,32768,413\n128166372016382155,hm,1,Write,2822144,4096,2926\n128166372026382245,hm,0,Read,383496192,4096,1\n",
		want:   []string{"128166372003061629 383496192 32768 get 0", "128166372016382155 281474979532800 4096 set 0", "128166372026382245 383496192 4096 get 0"},
		report: []string{"block=request", "volumes 0 to 1 are hm/0, hm/1"},
	},
	{
		format: "msr", name: "blocks", confidence: Likely, args: Args{"block": "4KiB"},
		data: "128166372003061629,hm,0,Read,4095,2,413\n128166372016382155,hm,1,Read,8192,8192,2926\n",
		want: []string{"128166372003061629 0 4096 get 0", "128166372003061629 1 4096 get 0",
			"128166372016382155 281474976710658 4096 get 0", "128166372016382155 281474976710659 4096 get 0"},
	},
	{
		format: "spc", confidence: Likely,
		data: "0,20941264,8192,W,0.551706\n0,20939840,8192,w,0.554041\n1,3436288,15872,r,1.011732\n",
		want: []string{"551706 20941264 8192 set 0", "554041 20939840 8192 set 0", "1011732 281474980146944 15872 get 0"},
	},
	{
		format: "arc-lis", confidence: Likely,
		data: "100 2 0 1\n50 1 0 2\n101 1 0 3\n", want: []string{"0 100 512 get 0", "0 101 512 get 0", "0 50 512 get 0", "0 101 512 get 0"},
		report: []string{"an object is a block of 512 bytes"},
	},
	{
		format: "arc-lis", name: "requests", confidence: Likely, args: Args{"block": "request"},
		data: "100 2 0 1\n50 1 0 2\n", want: []string{"0 100 1024 get 0", "0 50 512 get 0"},
	},
	{
		format: "lirs-trc", confidence: Likely,
		data: "1\n*\n2\n\n1\n*\n", want: []string{"0 1 1 get 0", "0 2 1 get 0", "0 1 1 get 0"},
	},
	{
		format: "systor17", confidence: Likely,
		data:   "1455592511.000000001,0.000301,R,4,3051925504,8192\n1455592512.500000000,,W,4,0,512\n1455592513.5,0.1,,4,0,512\n",
		want:   []string{"1455592511000000001 3051925504 8192 get 0", "1455592512500000000 0 512 set 0"},
		report: []string{"left out: 1 request without a type"},
	},
	{
		format: "systor17", name: "header", confidence: Certain,
		data: "Timestamp,Response,IOType,LUN,Offset,Size\n1455592511.1,0.000301,R,0,512,8192\n", want: []string{"1455592511100000000 512 8192 get 0"},
	},
	{
		format: "fiu", confidence: Likely,
		data: "89966095266 4892 syslogd 904265560 8 W 6 0 531e779c48a5c2b7dcb9a54fd3a5dbf1\n89966195280 2522 kjournald 904265568 16 R 6 0 aabb\n",
		want: []string{"89966095266 904265560 4096 set 0", "89966195280 904265568 8192 get 0"},
	},
	{
		format: "tencent-block", confidence: Likely,
		data: "1538323200,12910952,128,0,1063\n1538323200,6338688,8,1,1627\n", want: []string{"1538323200 12910952 65536 get 0", "1538323200 281474983049344 4096 set 0"},
	},
	{
		format: "tencent-block", name: "bytes", args: Args{"sector": "1"}, confidence: Likely,
		data: "1538323200,4096,512,0,1063\n", want: []string{"1538323200 4096 512 get 0"},
	},
	{
		format: "alibaba-block", confidence: Likely,
		data: "419,W,8792731648,16384,1577808144360767\n725,R,59110326272,360448,1577808144360813\n",
		want: []string{"1577808144360767 8792731648 16384 set 0", "1577808144360813 281534087036928 360448 get 0"},
	},
	{
		format: "k5cloud", confidence: Likely,
		data: "1283,3.579573,R,1045786624,4096\n1283,3.579574,W,0,8192\n", want: []string{"3579573 1045786624 4096 get 0", "3579574 0 8192 set 0"},
	},
	{
		format: "thesios", confidence: Certain,
		data: thesiosHeader + "d206,2453358,bigtable,1705305576,WARM,REPLICATED,WRITE,OTHER,0,-1,3390,3390,0,1705305600.5,0.0,0.0,0.0,0.000125\n" +
			"0c44,7354368,4aed,1705167112,WARM,REPLICATED,READ,OTHER,0,0,1050624,1052672,1050624,1705305601.25,0.004,0.0,1705.0,0.0042\n",
		want: []string{`1705305600500000 "d206:2453358" 3390 set 0`, `1705305601250000 "0c44:7354368" 1050624 get 0`},
	},
	{
		format: "thesios", name: "blocks", confidence: Certain, args: Args{"block": "1MiB"},
		data: thesiosHeader + "0c44,1048575,4aed,1,WARM,REPLICATED,READ,OTHER,0,0,2,2,2,7,0.004,0.0,1705.0,0.0042\n",
		want: []string{`7000000 "0c44:0" 1048576 get 0`, `7000000 "0c44:1" 1048576 get 0`},
	},
	{
		format: "meta-storage", confidence: Certain,
		data: "op_time,block_id,block_id_size,rs_shard_id,op_name,op_count,io_offset,io_size,user_name,user_namespace,host_name\n" +
			"1,5001,40,0,getChunkData.Permanent,2,4096,100,u,n,h\n2,5001,40,3,putChunk.NotInitialized,1,0,200,u,n,h\n",
		want: []string{`1 "5001:4096" 100 get 0`, `1 "5001:4096" 100 get 0`, `2 "5001/3:0" 200 set 0`},
	},
	{
		format: "baleen", confidence: Certain,
		data: "# block io_offset io_size op_time op_name user_namespace user_name rs_shard_id op_count host_name\n" +
			"79 4096 131072 1572000000.5 2 1 24 0 2 7\n79 0 10 1572000001 4 1 24 5 1 7\n",
		want: []string{`1572000000500000 "79:4096" 131072 get 0`, `1572000000500000 "79:4096" 131072 get 0`, `1572000001000000 "79/5:0" 10 set 0`},
	},
	{
		format: "baleen", name: "no header", confidence: Likely, args: Args{"block": "128KiB"},
		data: "79 131000 1000 1572000000 1 1 24\n80 0 0 1572000000 5 1 24\n80 0 5 1572000001 1 1 24 9\n",
		want: []string{`1572000000000000 "79:0" 131072 get 0`, `1572000000000000 "79:1" 131072 get 0`, `1572000001000000 "80:0" 131072 get 0`},
	},
	{
		format: "ms-etw", confidence: Certain,
		data: "BeginHeader\n DiskRead, TimeStamp, Process Name ( PID), ThreadID, IrpPtr, ByteOffset, IOSize, ElapsedTime, DiskNum\nEndHeader\n" +
			"OS Version: 6.0\n" +
			" DiskRead, 1500, a.exe ( 4), 12, 0xfffffa80, 0x0000a000, 0x00001000, 55, 0, 1\n" +
			" DiskWrite, 1600, a.exe ( 4), 12, 0xfffffa80, 0x0000b000, 0x00000200, 55, 1, 1\n",
		want:   []string{"1500 40960 4096 get 0", "1600 281474976755712 512 set 0"},
		report: []string{"1 request of events other than DiskRead and DiskWrite"},
	},
}

const (
	metaCDNHeader = "timestamp,cacheKey,OpType,objectSize,responseSize,responseHeaderSize,rangeStart,rangeEnd,TTL,SamplingRate,cache_hit,item_value,RequestHandler,cdn_content_type_id,vip_type\n"
	thesiosHeader = "filename,file_offset,application,c_time,io_zone,redundancy_type,op_type,service_class,from_flash_cache,cache_hit," +
		"request_io_size_bytes,disk_io_size_bytes,response_io_size_bytes,start_time,disk_time,latency,simulated_disk_start_time,simulated_latency\n"
)
