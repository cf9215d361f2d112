/* manual_commands.c - what each command is for, in its own words: the table of
 * commands, which options.h explains. */
#include "task/options.h"

const struct command_row command_rows[COMMAND_COUNT] = {
    [COMMAND_RUN] = {
        "run", "CONFIG", 1, 1,
        "everything due now, for every group of a configuration",
        "CONFIG is a file, - for standard input, or s3://BUCKET/KEY; see\n"
        "docs/configuration.md. Of each group that it names: the days from\n"
        "backfill_days to age_days ago that are not archived, the oldest\n"
        "first; then those to be counted again, 14 days past their end; then\n"
        "retention_days, if nothing would be lost by it.\n"
        "\n"
        "Run it as often as you like: what is archived is told by one list a\n"
        "group. A group that fails does not stop the others, and the exit\n"
        "code is the worst of all.\n",
        "  firn run firn.json --dry-run\n"
        "  firn run firn.json\n"
        "  firn run s3://acme-logs/firn.json --deadline 840\n",
        "   0  nothing is left to do\n"
        "  64  the command line\n"
        "  65  something is damaged or lost, or would be\n"
        "  69  AWS could not be reached, or gave up\n"
        "  75  stopped, another run has a day, or retention has to wait\n"
        "  77  credentials or permission\n"
        "  78  the configuration; no such group or bucket\n",
    },
    [COMMAND_DAEMON] = {
        "daemon", "CONFIG", 1, 1,
        "stays, and does what run does at each time of the schedule",
        "The first run begins at once, so that what was missed is made up\n"
        "for; then one at each time of \"schedule\" in the configuration.\n"
        "What came while a run was under way, or the machine asleep, is one\n"
        "run. A run that fails is told on stderr, and the next one comes.\n"
        "\n"
        "SIGHUP reads the configuration again, for the next run; one that is\n"
        "not sound changes nothing. systemd is told when it is ready, and its\n"
        "watchdog is kept quiet. --deadline and --give-up are of one run.\n",
        "  firn daemon /etc/firn/firn.json\n",
        "   0  the schedule will never fire again\n"
        "  64  the command line\n"
        "  75  stopped by a signal\n"
        "  77  credentials or permission, at the start\n"
        "  78  the configuration, at the start\n",
    },
    [COMMAND_ARCHIVE] = {
        "archive", "", 0, 0,
        "one day of one log group becomes one S3 object",
        "Reads every event of a log group in a window of time, compresses\n"
        "them and writes one S3 object, in memory that never grows and with\n"
        "no file on any disk. The object is checked by its CRC64NVME and\n"
        "read by zcat. A receipt beside it, _NAME.receipt.json, says what\n"
        "it holds; a run that finds the receipt has nothing to do.\n"
        "\n"
        "Stopped, cut off or killed, it may simply be run again: it goes on\n"
        "with the first part that S3 does not have, and the result is one\n"
        "object with each event exactly once. Of two runs at once, one waits\n"
        "a moment and stops.\n"
        "\n"
        "CloudWatch takes events up to 14 days late: until then an archive is\n"
        "provisional. Run after that, it counts the window again and seals\n"
        "the archive, or makes it anew if there is more.\n",
        "  firn archive --group /ecs/api --to s3://acme-logs\n"
        "      yesterday, UTC, under the default key\n"
        "  firn archive --group /ecs/api --to s3://acme-logs \\\n"
        "      --day 2026-11-09 --timezone Asia/Seoul\n"
        "      that day, from midnight to midnight in Seoul\n"
        "  firn archive --group /ecs/api --to s3://acme-logs/x.log.gz \\\n"
        "      --from 2026-11-09T10:00:00Z --until 2026-11-09T11:00:00Z \\\n"
        "      --format text\n"
        "      one hour, as lines of text\n",
        "   0  archived, or already archived\n"
        "  64  the command line; also a window that ends in the future\n"
        "  65  the group no longer holds all of the window, or less than is\n"
        "      archived; damage\n"
        "  69  AWS could not be reached, or gave up\n"
        "  75  stopped by a signal or --deadline, or another run is at it:\n"
        "      run again to go on\n"
        "  77  credentials or permission\n"
        "  78  no such group, bucket or zone; an object in the way; a full\n"
        "      limit of config.h\n",
    },
    [COMMAND_MERGE] = {
        "merge", "s3://BUCKET/PREFIX/ --to s3://BUCKET/KEY", 1, 1,
        "many objects, an export's .gz files say, become one",
        "Joins all objects below a prefix in the order of their keys, however\n"
        "many, in memory that never grows and with no file on any disk. What\n"
        "is gzip and becomes gzip is put end to end: objects of 5 MiB and\n"
        "more inside S3, by UploadPartCopy, smaller ones streamed together\n"
        "into parts. The result has many gzip members, which zcat and every\n"
        "sound reader reads as one file. Where the objects differ in form, or\n"
        "a last line lacks its newline, they are inflated and compressed\n"
        "anew, and so they are with --recompress.\n"
        "\n"
        "A key that ends in .gz or .zst must be that; others are what they\n"
        "begin with. Of what is put end to end the first 16 MB that come by\n"
        "are inflated, of what is copied inside S3 nothing: the receipt says\n"
        "so. With --group and --day all is inflated once and counted, only\n"
        "records of that day are kept, and the object counts as that day,\n"
        "imported. CloudWatch's permission probe, receipts and checkpoints\n"
        "below the prefix are left out.\n"
        "\n"
        "With --order time the records of all objects are sorted, in the same\n"
        "memory: sorted runs are stored beside the checkpoint, uncompressed\n"
        "and encrypted as --sse says, merged, deleted. All is read, written\n"
        "and read again, so look at the price that --dry-run tells.\n"
        "\n"
        "Stopped, cut off or killed, it may simply be run again.\n",
        "  firn merge s3://acme-exports/2026/11/09/ \\\n"
        "      --to s3://acme-logs/api-2026-11-09.log.gz\n"
        "  firn merge s3://acme-exports/2026/11/09/ --to s3://acme-logs \\\n"
        "      --group /ecs/api --day 2026-11-09\n"
        "      it counts as that day, and firn archive skips it\n"
        "  firn merge s3://acme-exports/2026/ --to s3://acme-logs/x.gz \\\n"
        "      --dry-run\n"
        "      how many objects, how many bytes, which requests\n"
        "  firn merge s3://acme-exports/2026/11/09/ \\\n"
        "      --to s3://acme-logs/api-2026-11-09.log.gz --order time\n"
        "      one file in which all streams follow one clock\n",
        "   0  merged, or already merged\n"
        "  64  the command line\n"
        "  65  an object is damaged, or not what its name says; the key and\n"
        "      the offset are said, and nothing is stored\n"
        "  69  S3 could not be reached, or gave up\n"
        "  75  stopped by a signal or --deadline, or another run is at it:\n"
        "      run again to go on\n"
        "  77  credentials or permission\n"
        "  78  no such bucket or group, nothing below the prefix, or an\n"
        "      object in the way: another archive below it, if KEY is, too\n",
    },
    [COMMAND_ADOPT] = {
        "adopt", "s3://BUCKET/KEY --group NAME --day YYYY-MM-DD", 1, 1,
        "takes an object made by something else for a day's archive",
        "Reads the object in full and writes its receipt beside it, state\n"
        "\"imported\"; the object itself stays as it is. From then on archive\n"
        "skips that day under that key, status shows it, and verify and cat\n"
        "read it. It may be gzip of any number of members, zstd or plain; a\n"
        "key that ends in .gz or .zst must be that. Its lines are firn's\n"
        "ndjson, or as CloudWatch exports them: a time, a blank and the\n"
        "message; lines that do not begin so belong to the event before.\n"
        "\n"
        "Counted are the events of the window, in any order. How many are\n"
        "outside it, and how many lines belong to no event, is said in the\n"
        "receipt's \"reason\". 14 days after the window's end archive counts\n"
        "the events in CloudWatch: if they are the same, the day is sealed;\n"
        "if not, it says so once, and writes over it only with --if-exists\n"
        "replace. run does the same of what was adopted before that time;\n"
        "of older days archive, once. The account is that of the\n"
        "credentials, and the group must be there still.\n",
        "  firn adopt s3://acme-logs/2026/11/09.gz --group /ecs/api \\\n"
        "      --day 2026-11-09 --timezone Asia/Seoul\n"
        "  firn adopt s3://acme-logs/x.gz --group /ecs/api --dry-run \\\n"
        "      --from 2026-11-09T00:00:00Z --until 2026-11-09T12:00:00Z\n",
        "   0  adopted, or it has that receipt already\n"
        "  64  the command line; also a window that has not ended yet\n"
        "  65  the object is damaged or cut, is not what its key says, or\n"
        "      holds no event that could be told\n"
        "  69  AWS could not be reached, or gave up\n"
        "  75  stopped by a signal or --deadline, or someone wrote the\n"
        "      receipt meanwhile: run again\n"
        "  77  credentials or permission\n"
        "  78  no such group, bucket or key; another receipt is there; no\n"
        "      event is in the window; or an object that must be restored\n"
        "      first\n",
    },
    [COMMAND_CAT] = {
        "cat", "CONFIG --group NAME, or s3://BUCKET/KEY...", 1, UINT32_MAX,
        "prints the records of archived objects",
        "Reads objects of S3 in the order given, or a group's archives in the\n"
        "order of their days, decompresses them (gzip of\n"
        "any number of members, zstd, or neither, by what they begin with)\n"
        "and prints a line for each record: its timestamp and its message,\n"
        "from either format. With --output json, the record as it is stored.\n"
        "A broken connection is taken up where it broke. What is good of a\n"
        "damaged object is printed, then the damage is named; the objects\n"
        "after it are still read.\n"
        "\n"
        "With --from or --until, only the blocks that hold that time are\n"
        "fetched: the receipt beside each object tells which. Give every key\n"
        "that may concern it, those of one group together and in the order\n"
        "of time. What lies in the interval but in none of them is said.\n",
        "  firn cat s3://acme-logs/x.ndjson.gz | grep ERROR\n"
        "  firn cat --output json s3://acme-logs/x.ndjson.gz | jq .stream\n"
        "  firn cat --from 2026-11-09T02:10 --until 2026-11-09T02:11 \\\n"
        "      --timezone Asia/Seoul s3://acme-logs/x.ndjson.gz\n"
        "      one minute of the night, as the clocks in Seoul showed it\n",
        "   0  all of it was printed, or the reader closed the pipe\n"
        "  64  the command line\n"
        "  65  an object is damaged; its name and the offset are said. Or\n"
        "      part of the interval is in none of the objects\n"
        "  69  S3 could not be reached, or gave up\n"
        "  75  stopped by a signal or --deadline\n"
        "  77  credentials or permission\n"
        "  78  no such bucket or key, or one that must be restored first\n",
    },
    [COMMAND_VERIFY] = {
        "verify", "CONFIG or s3://BUCKET/KEY...", 1, UINT32_MAX,
        "reads archives back and holds them against their receipts",
        "Reads each object, or all archives of a configuration's groups, in\n"
        "full, the very version that its receipt is\n"
        "of, and compares: size, ETag and key; the CRC64NVME of the bytes\n"
        "stored; the bytes after decompression; and of ndjson the number of\n"
        "events, the first and the last, and the digest of all timestamps\n"
        "and messages. Records of text cannot be told apart for sure; there\n"
        "the bytes are compared alone. Where nothing differs the receipt is\n"
        "written again, with the time in \"verified_at\".\n"
        "\n"
        "What differs is said with both numbers, and the objects after it\n"
        "are still read. An object without a receipt cannot be verified.\n",
        "  firn verify s3://acme-logs/a/events.ndjson.gz\n"
        "  firn verify --output json s3://acme-logs/a/events.ndjson.gz \\\n"
        "      s3://acme-logs/b/events.ndjson.gz | jq .state\n",
        "   0  every object is what its receipt says\n"
        "  64  the command line\n"
        "  65  an object or a receipt is damaged, or an object is gone\n"
        "  69  S3 could not be reached, or gave up\n"
        "  75  stopped by a signal or --deadline, or someone wrote the\n"
        "      receipt meanwhile: run again\n"
        "  77  credentials or permission\n"
        "  78  no such bucket or key, no receipt, or an object that must be\n"
        "      restored first\n",
    },
    [COMMAND_RESTORE] = {
        "restore", "s3://BUCKET/KEY --days N", 1, 1,
        "brings an object back from a Glacier class into S3",
        "Asks S3 for a copy of an object of class GLACIER or DEEP_ARCHIVE\n"
        "that can be read, and is kept --days days. S3 takes:\n"
        "\n"
        "  tier        GLACIER        DEEP_ARCHIVE\n"
        "  Expedited   1 to 5 min     not to be had\n"
        "  Standard    3 to 5 h       up to 12 h\n"
        "  Bulk        5 to 12 h      up to 48 h\n"
        "\n"
        "Without --wait firn only asks; the same again says how far it is,\n"
        "and once the copy is there keeps it --days days from then. With\n"
        "--wait it looks after seconds at first, later every four minutes.\n"
        "Nothing is to be done for other classes: they can be read as they\n"
        "are.\n",
        "  firn restore s3://acme-logs/x.ndjson.gz --days 7\n"
        "  firn restore s3://acme-logs/x.ndjson.gz --days 2 --tier Bulk \\\n"
        "      --wait --deadline 172800 &&\n"
        "      firn cat s3://acme-logs/x.ndjson.gz\n",
        "   0  asked for, or there already; with --wait: it can be read\n"
        "  64  the command line\n"
        "  69  S3 could not be reached, or gave up\n"
        "  75  stopped by a signal or --deadline; S3 goes on with it\n"
        "  77  credentials or permission\n"
        "  78  no such bucket or key; a tier that its class does not have\n",
    },
    [COMMAND_STATUS] = {
        "status", "CONFIG or s3://BUCKET/[PREFIX/]", 1, 1,
        "which days are archived, which are missing, and how long is left",
        "Reads the receipts below a prefix and tells each day of each log\n"
        "group: sealed, provisional or imported; damaged, when the receipt\n"
        "cannot be read or its object is gone or another one; and of the\n"
        "days between the first one archived and yesterday, missing, when\n"
        "CloudWatch can still be read, or expired. The margin is how many\n"
        "days are left until CloudWatch deletes one that is not archived.\n"
        "\n"
        "On a terminal, or with --output text, it draws a calendar of the\n"
        "last months, a character a day. Elsewhere each day is a JSON line,\n"
        "and so is each group, behind its days, with what they come to.\n"
        "Any number of groups and days takes the same memory, where the key\n"
        "has the group before the date, as the default one has; else\n"
        "CFG_STATUS_GROUPS groups at most. What is asked of AWS: a LIST for\n"
        "1,000 keys, a GET a day (and a HEAD where the object is not listed\n"
        "next to its receipt), a DescribeLogGroups a group; 10,000 days are\n"
        "less than 0.01 USD.\n"
        "\n"
        "With a configuration it tells each group of it, also one that has no\n"
        "archive yet: due is what firn run would archive, and with \"since\"\n"
        "each day from then on.\n",
        "  firn status firn.json\n"
        "  firn status s3://acme-logs\n"
        "  firn status s3://acme-logs/ --output json |\n"
        "      jq -r 'select(.state == \"missing\") | .group + \" \" + .day'\n"
        "  firn status s3://acme-logs/ --age 13\n"
        "      for a schedule that archives days when they are 13 days old\n",
        "   0  every day that is due is archived\n"
        "  64  the command line\n"
        "  65  a day is damaged, or has expired without being archived\n"
        "  69  AWS could not be reached, or gave up\n"
        "  75  a day is missing, but can still be read; or a signal\n"
        "  77  credentials or permission\n"
        "  78  no such bucket, or CFG_STATUS_GROUPS is reached\n",
    },
    [COMMAND_RETENTION] = {
        "retention", "", 0, 0,
        "sets how long CloudWatch keeps a group, if nothing is lost",
        "Lowers the retention of a log group only if every day that would\n"
        "expire by it is archived, sealed and verified: its receipt is that\n"
        "of this account, region and group, agrees with the object that S3\n"
        "has, was written or recounted when no event could be added to the\n"
        "day any more, and the object was read back since (firn verify); in\n"
        "a Glacier class S3's checksum will do. Otherwise it names the days\n"
        "and changes nothing. Days are counted from the group's creation, or\n"
        "its first event if that is older, whether there were events or not.\n"
        "Raising it needs no guard.\n"
        "\n"
        "With 14 days or less no day can be recounted, since late events\n"
        "come for as long: 30 is the least that seals.\n",
        "  firn retention --group /ecs/api --days 30 \\\n"
        "      --archive s3://acme-logs/ --dry-run\n"
        "  firn retention --group /ecs/api --days 14 \\\n"
        "      --archive s3://acme-logs/ --timezone Asia/Seoul \\\n"
        "      --accept-provisional\n",
        "   0  set, or it was so already\n"
        "  64  the command line; also days that CloudWatch does not know\n"
        "  65  days would be lost that no run is going to archive\n"
        "  69  AWS could not be reached, or gave up\n"
        "  75  not yet: days would be lost that the next runs will archive,\n"
        "      seal or verify; or a signal\n"
        "  77  credentials or permission\n"
        "  78  no such group or bucket\n",
    },
    [COMMAND_SCHEDULE] = {
        "schedule", "'EXPRESSION'", 1, 1,
        "the next times at which a schedule fires",
        "Prints the next times of a schedule, an instant of UTC a line. The\n"
        "grammar is that of EventBridge Scheduler:\n"
        "\n"
        "  rate(15 minutes)         minutes, hours or days of 24 hours\n"
        "  at(2026-11-09T03:00:00)  once\n"
        "  cron(0 3 * * ? *)        minutes hours day-of-month month\n"
        "                           day-of-week year\n"
        "\n"
        "  minutes       0-59          , - * /\n"
        "  hours         0-23          , - * /\n"
        "  day-of-month  1-31          , - * / ?  L L-3 15W LW\n"
        "  month         1-12 JAN-DEC  , - * /\n"
        "  day-of-week   1-7 SUN-SAT   , - * / ?  L 6L 3#2\n"
        "  year          1970-2199     , - * /\n"
        "\n"
        "One of the two days is \"?\". L is the last day of the month, L-3\n"
        "three days before it, 15W the day from Monday to Friday nearest to\n"
        "the 15th, 6L the last Friday and 3#2 the second Tuesday. A time that\n"
        "the zone's clocks skip in spring does not fire that day; one that\n"
        "they show twice in autumn fires once, the first time. It needs no\n"
        "network.\n",
        "  firn schedule 'cron(0 3 * * ? *)' --timezone Asia/Seoul\n"
        "  firn schedule 'cron(30 2 ? * 1L *)' --timezone Europe/Berlin \\\n"
        "      --after 2026-01-01T00:00:00Z --count 12\n",
        "   0  printed; fewer than --count where it ends\n"
        "  64  the schedule is none, or never fires: the column and why\n"
        "  78  no such zone\n",
    },
    [COMMAND_INIT] = {
        "init", "--to s3://BUCKET/", 0, 0,
        "prints a configuration made from the account's log groups",
        "Lists the log groups of the account and region and prints a\n"
        "configuration for firn run, with a word about each group that is\n"
        "special: too short a retention, a class that can only be exported,\n"
        "masked data. Groups of which no day can be archived are left out\n"
        "and named at the end. From today on; nothing is written or changed.\n",
        "  firn init --to s3://acme-logs/ > firn.json\n"
        "  firn doctor firn.json && firn plan firn.json\n",
        "   0  printed\n"
        "  64  the command line\n"
        "  69  AWS could not be reached, or gave up\n"
        "  77  credentials or permission\n"
        "  78  there is no log group\n",
    },
    [COMMAND_DOCTOR] = {
        "doctor", "CONFIG", 1, 1,
        "what would fail, and the cure",
        "Looks at all that a run needs, with one harmless call of each kind:\n"
        "the credentials and whose they are, the clock; each group, its\n"
        "class, retention and masking, and whether it can be read; each\n"
        "bucket, its region, what may be done there, its lifecycle, and for\n"
        "exports its policy. A line each: ok, note, warning, or fail and the\n"
        "exit code that a run would end with. Nothing is written but with\n"
        "--write: an object _firn-doctor.checkpoint.json, on condition,\n"
        "twice, and its deletion.\n",
        "  firn doctor firn.json\n"
        "  firn doctor firn.json --write\n",
        "   0  nothing would fail\n"
        "  64  the command line\n"
        "  69  AWS could not be reached, or gave up\n"
        "  75  stopped by a signal or --deadline\n"
        "  77  credentials or permission\n"
        "  78  the configuration; no such group or bucket\n",
    },
    [COMMAND_POLICY] = {
        "policy", "CONFIG [ROLE-ARN]", 1, 2,
        "the least that IAM must allow for a configuration",
        "Prints a policy for whoever runs firn with this configuration, as\n"
        "JSON for IAM: its log groups, its buckets below what their keys\n"
        "have in common, and nothing that it has no use for. Nobody is\n"
        "asked but, for a CONFIG in S3, S3.\n"
        "\n"
        "Groups with a \"role_arn\" are worked on as that role: the policy\n"
        "lets it be assumed, and with ROLE-ARN behind CONFIG it is the\n"
        "policy of that role. An AWS Lambda function also writes its own\n"
        "log (AWSLambdaBasicExecutionRole).\n",
        "  firn policy firn.json > policy.json\n"
        "  aws iam put-role-policy --role-name firn --policy-name firn \\\n"
        "      --policy-document file://policy.json\n"
        "  firn policy firn.json --read-only\n"
        "  firn policy firn.json --bucket --expected-bucket-owner "
        "111122223333\n",
        "   0  printed\n"
        "  64  the command line\n"
        "  78  the configuration\n",
    },
    [COMMAND_PLAN] = {
        "plan", "CONFIG", 1, 1,
        "requests, bytes, hours and price of what run would do",
        "Looks at each group as run does, with one DescribeLogGroups and one\n"
        "list, and tells each day that run would archive or count again, and\n"
        "what it takes; then the sum. Nothing is read or written.\n"
        "\n"
        "Exact are the requests that do not depend on how much is read.\n"
        "\"about\" says which do: they are estimated from the bytes that\n"
        "CloudWatch says it stores. The time is what the read rate allows at\n"
        "best; --rate, or \"rate\", changes it. Prices are us-east-1's, of\n"
        "the day that is told beside them.\n"
        "\n"
        "With --output json each day is an item for many firns at once\n"
        "(docs/deploy), and the sum is the last line, without a \"day\".\n",
        "  firn plan firn.json\n"
        "  firn plan firn.json --output json | jq -s 'map(select(.day))'\n",
        "   0  told\n"
        "  64  the command line\n"
        "  69  AWS could not be reached, or gave up\n"
        "  75  stopped by a signal or --deadline\n"
        "  77  credentials or permission\n"
        "  78  the configuration; no such group or bucket\n",
    },
    [COMMAND_MEMORY] = {
        "memory", "", 0, 0,
        "prints the memory table: every region and its size",
        "All memory of firn is decided when it is built. The table names\n"
        "every region, its size and whether it is bounded by construction\n"
        "(firn's own) or by a pool (the libraries'), then the total and the\n"
        "limits that the kernel is asked to enforce before the first\n"
        "request. Limits are in config.h.in: make CFG_X=N changes one.\n",
        "  firn memory\n"
        "  firn memory --output json\n",
        "   0  always\n",
    },
};
