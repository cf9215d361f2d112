/* test_rows.h - requests and the answers they must get, in turn.
 * The signed ones are AWS's own examples ("Authenticating requests: using
 * the Authorization header", S3 API reference), 2013-05-24. */
#define EXAMPLE "Authorization: AWS4-HMAC-SHA256 Credential=" \
    "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," \
    "SignedHeaders="
#define HOST "Host: examplebucket.s3.amazonaws.com\n"
#define DATE "x-amz-date: 20130524T000000Z\n"
#define EMPTY "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e" \
    "4649b934ca495991b7852b855\n"
#define WELCOME "x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2" \
    "b6b4b4e99e42034a8b803f8b072\n"
#define GET_SIGNED "host;range;x-amz-content-sha256;x-amz-date,Signature="
#define PUT_SIGNED "date;host;x-amz-content-sha256;x-amz-date;" \
    "x-amz-storage-class,Signature="

{"S3 example: GET object, right signature", "GET", "/test.txt",
 HOST "Range: bytes=0-9\n" EMPTY DATE EXAMPLE GET_SIGNED
 "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", "",
 404, "NoSuchKey"},
{"S3 example: one digit of it wrong", "GET", "/test.txt",
 HOST "Range: bytes=0-9\n" EMPTY DATE EXAMPLE GET_SIGNED
 "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb42", "",
 403, "SignatureDoesNotMatch"},
{"S3 example: PUT object", "PUT", "/test%24file.text",
 HOST "Date: Fri, 24 May 2013 00:00:00 GMT\n" WELCOME DATE
 "x-amz-storage-class: REDUCED_REDUNDANCY\nContent-Length: 21\n" EXAMPLE
 PUT_SIGNED
 "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
 "Welcome to Amazon S3.", 200, "ETag"},
{"S3 example: another body than was signed", "PUT", "/test%24file.text",
 HOST "Date: Fri, 24 May 2013 00:00:00 GMT\n" WELCOME DATE
 "x-amz-storage-class: REDUCED_REDUNDANCY\nContent-Length: 21\n" EXAMPLE
 PUT_SIGNED
 "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
 "Welcome to Amazon S3?", 400, "XAmzContentSHA256Mismatch"},
{"S3 example: GET bucket lifecycle", "GET", "/?lifecycle",
 HOST EMPTY DATE EXAMPLE "host;x-amz-content-sha256;x-amz-date,Signature="
 "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", "",
 501, "NotImplemented"},
{"S3 example: list objects (V1, unknown here)", "GET",
 "/?max-keys=2&prefix=J", HOST EMPTY DATE EXAMPLE
 "host;x-amz-content-sha256;x-amz-date,Signature="
 "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", "",
 501, "NotImplemented"},
{"an x-amz header that is not signed", "GET", "/test.txt",
 HOST "Range: bytes=0-9\nx-amz-checksum-mode: ENABLED\n" EMPTY DATE EXAMPLE
 GET_SIGNED
 "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", "",
 403, "not signed"},
{"an hour late", "GET", "/test.txt",
 HOST EMPTY "x-amz-date: 20130524T010000Z\n" EXAMPLE GET_SIGNED
 "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", "",
 403, "RequestTimeTooSkewed"},
{"no signature", "GET", "/test.txt", HOST EMPTY, "", 403, "AccessDenied"},
{"no signature, Logs", "POST", "/", "X-Amz-Target: Logs_20140328.X", "{}",
 400, "MissingAuthenticationToken"},

{"", "SET", "check-signature=0", "", "", 0, ""},
{"GET reads it back", "GET", "/test%24file.text", HOST, "", 200,
 "Welcome to Amazon S3."},
{"HEAD has no body", "HEAD", "/test%24file.text", HOST, "", 200,
 "REDUCED_REDUNDANCY"},
{"HEAD tells the checksum when asked", "HEAD", "/test%24file.text",
 HOST "x-amz-checksum-mode: ENABLED", "", 200, "x-amz-checksum-crc64nvme"},
{"a range", "GET", "/test%24file.text", HOST "Range: bytes=11-16", "", 206,
 "bytes 11-16/21"},
{"the last bytes", "GET", "/test%24file.text", HOST "Range: bytes=-3", "",
 206, "S3."},
{"a range past the end", "GET", "/test%24file.text",
 HOST "Range: bytes=21-", "", 416, "InvalidRange"},
{"If-None-Match: * on what exists", "PUT", "/test%24file.text",
 HOST "If-None-Match: *\nContent-Length: 1", "x", 412, "If-None-Match"},
{"If-None-Match with an ETag on a write", "PUT", "/new",
 HOST "If-None-Match: \"x\"\nContent-Length: 1", "x", 501, "NotImplemented"},
{"If-Match: * on a write", "PUT", "/new",
 HOST "If-Match: *\nContent-Length: 1", "x", 501, "NotImplemented"},
{"If-Match on what is not there", "PUT", "/new",
 HOST "If-Match: \"x\"\nContent-Length: 1", "x", 404, "NoSuchKey"},
{"If-Match of another ETag", "PUT", "/test%24file.text",
 HOST "If-Match: \"x\"\nContent-Length: 1", "x", 412, "PreconditionFailed"},
{"no length", "PUT", "/new", HOST, "", 411, "MissingContentLength"},
{"a class that is none", "PUT", "/new",
 HOST "Content-Length: 1\nx-amz-storage-class: COLD", "x", 400,
 "InvalidStorageClass"},
{"a wrong checksum", "PUT", "/new",
 HOST "Content-Length: 9\nx-amz-checksum-crc64nvme: rosUhgp5mIk=",
 "123456789", 400, "BadDigest"},
{"the right one", "PUT", "/new",
 HOST "Content-Length: 9\nx-amz-checksum-crc64nvme: rosUhgp5mIg=",
 "123456789", 200, "rosUhgp5mIg="},
{"the bucket of another", "PUT", "/new",
 HOST "Content-Length: 1\nx-amz-expected-bucket-owner: 999988887777", "x",
 403, "AccessDenied"},
{"a bucket of another region", "GET", "/k",
 "Host: far.s3.us-east-1.amazonaws.com", "", 301, "x-amz-bucket-region"},
{"no such bucket", "GET", "/none/k", "Host: localhost:1", "", 404,
 "NoSuchBucket"},
{"to the archive", "PUT", "/cold",
 HOST "Content-Length: 1\nx-amz-storage-class: DEEP_ARCHIVE", "x", 200, ""},
{"which cannot be read", "GET", "/cold", HOST, "", 403,
 "<StorageClass>DEEP_ARCHIVE"},
{"but restored", "POST", "/cold?restore", HOST,
 "<RestoreRequest><Days>2</Days></RestoreRequest>", 202, ""},
{"which takes time", "HEAD", "/cold", HOST, "", 200,
 "ongoing-request=\"true\""},
{"and which of another class needs not", "POST", "/new?restore", HOST,
 "<RestoreRequest><Days>2</Days></RestoreRequest>", 403,
 "Restore is not allowed"},
{"a restore without days", "POST", "/cold?restore", HOST,
 "<RestoreRequest></RestoreRequest>", 400, "MalformedXML"},
{"a tier that is none", "POST", "/cold?restore", HOST, "<RestoreRequest>"
 "<Days>2</Days><GlacierJobParameters><Tier>Fast</Tier>"
 "</GlacierJobParameters></RestoreRequest>", 400, "MalformedXML"},
{"a tier that its class has not", "POST", "/cold?restore", HOST,
 "<RestoreRequest><Days>2</Days><GlacierJobParameters><Tier>Expedited</Tier>"
 "</GlacierJobParameters></RestoreRequest>", 400, "InvalidArgument"},
{"and is asked for once", "POST", "/cold?restore", HOST,
 "<RestoreRequest><Days>2</Days></RestoreRequest>", 409,
 "RestoreAlreadyInProgress"},
{"another", "PUT", "/cool",
 HOST "Content-Length: 1\nx-amz-storage-class: GLACIER", "y", 200, ""},
{"", "SET", "restore-time=0", "", "", 0, ""},
{"that is back at once", "POST", "/cool?restore", HOST, "<RestoreRequest>"
 "<Days>1</Days><GlacierJobParameters><Tier>Bulk</Tier>"
 "</GlacierJobParameters></RestoreRequest>", 202, ""},
{"says until when: a midnight", "HEAD", "/cool", HOST, "", 200,
 "ongoing-request=\"false\", expiry-date=\"Sat, 25 May 2013 00:00:00 GMT\""},
{"can be read", "GET", "/cool", HOST, "", 200, "y"},
{"and be kept longer", "POST", "/cool?restore", HOST,
 "<RestoreRequest><Days>2</Days></RestoreRequest>", 200, ""},
{"a checksum type without algorithm", "POST", "/up?uploads",
 HOST "x-amz-checksum-type: FULL_OBJECT", "", 400, "InvalidRequest"},
{"a composite CRC64NVME", "POST", "/up?uploads",
 HOST "x-amz-checksum-type: COMPOSITE\nx-amz-checksum-algorithm: CRC64NVME",
 "", 400, "InvalidRequest"},
{"part 0", "PUT", "/up?partNumber=0&uploadId=x", HOST "Content-Length: 1",
 "x", 404, "NoSuchUpload"},
{"delete what is not there", "DELETE", "/none", HOST, "", 204, ""},
{"DeleteObjects without a checksum", "POST", "/?delete", HOST,
 "<Delete><Object><Key>new</Key></Object></Delete>", 400, "Content-MD5"},
{"a script's error", "FAULT", "GetObject #2 error=InternalError", "", "", 0,
 ""},
{"its first request is spared", "GET", "/new", HOST, "", 200, "123456789"},
{"its second is not", "GET", "/new", HOST, "", 500, "InternalError"},
{"its third is", "GET", "/new", HOST, "", 200, "123456789"},
{"a lost answer", "FAULT", "PutObject #1 lost", "", "", 0, ""},
{"whose effect stays", "PUT", "/lost", HOST "Content-Length: 2", "ok", 0,
 ""},
{"as one sees", "GET", "/lost", HOST, "", 200, "ok"},
{"a cut answer", "FAULT", "GetObject if=/lost cut=1", "", "", 0, ""},
{"shows", "GET", "/lost", HOST, "", 200, "o"},

#define LOGS "Host: logs.us-east-1.amazonaws.com\n" \
    "Content-Type: application/x-amz-json-1.1\nX-Amz-Target: Logs_20140328."
{"an empty group", "POST", "/", LOGS "FilterLogEvents",
 "{\"logGroupName\":\"/g\"}", 200, "{\"events\":[],"},
{"limit 10001", "POST", "/", LOGS "FilterLogEvents",
 "{\"logGroupName\":\"/g\",\"limit\":10001}", 400, "'10001' at 'limit'"},
{"no such group", "POST", "/", LOGS "FilterLogEvents",
 "{\"logGroupName\":\"/x\"}", 400, "ResourceNotFoundException"},
{"group by ARN", "POST", "/", LOGS "FilterLogEvents",
 "{\"logGroupIdentifier\":"
 "\"arn:aws:logs:us-east-1:111122223333:log-group:/g\"}", 200, "events"},
{"names and prefix", "POST", "/", LOGS "FilterLogEvents",
 "{\"logGroupName\":\"/g\",\"logStreamNames\":[],"
 "\"logStreamNamePrefix\":\"a\"}", 400, "InvalidParameterException"},
{"a token of nobody", "POST", "/", LOGS "FilterLogEvents",
 "{\"logGroupName\":\"/g\",\"nextToken\":\"abcd\"}", 400,
 "The specified nextToken is invalid."},
{"not JSON", "POST", "/", LOGS "FilterLogEvents", "{\"a\":01}", 400,
 "SerializationException"},
{"no such operation", "POST", "/", LOGS "Frobnicate", "{}", 404,
 "UnknownOperationException"},
{"a retention that is none", "POST", "/", LOGS "PutRetentionPolicy",
 "{\"logGroupName\":\"/g\",\"retentionInDays\":31}", 400, "InvalidParam"},
{"one that is", "POST", "/", LOGS "PutRetentionPolicy",
 "{\"logGroupName\":\"/g\",\"retentionInDays\":30}", 200, ""},
{"and shows", "POST", "/", LOGS "DescribeLogGroups", "{}", 200,
 "\"retentionInDays\":30"},
{"a group of the rare class", "POST", "/", LOGS "CreateLogGroup",
 "{\"logGroupName\":\"/ia\",\"logGroupClass\":\"INFREQUENT_ACCESS\"}", 200,
 ""},
{"cannot be read", "POST", "/", LOGS "FilterLogEvents",
 "{\"logGroupName\":\"/ia\"}", 400, "not supported"},
{"IMDS without a token", "GET",
 "/latest/meta-data/iam/security-credentials/", "Host: 169.254.169.254", "",
 401, ""},
{"IMDS token without ttl", "PUT", "/latest/api/token",
 "Host: 169.254.169.254", "", 400, ""},
{"a container without its token", "GET", "/v2/credentials/x",
 "Host: 169.254.170.2", "", 401, ""},
{"a container with it", "GET", "/v2/credentials/x",
 "Host: 169.254.170.2\nAuthorization: container-token", "", 200,
 "SecretAccessKey"},
{"", "SET", "error-form=1", "", "", 0, ""},
{"errors named in a header", "POST", "/", LOGS "FilterLogEvents",
 "{\"logGroupName\":\"/x\"}", 400,
 "x-amzn-ErrorType: ResourceNotFoundException"},
