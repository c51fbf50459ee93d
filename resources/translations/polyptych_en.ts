<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US" sourcelanguage="en">
<context>
    <name>DeviceCard</name>
    <message numerus="yes">
        <source>%n done</source>
        <translation>
            <numerusform>%n done</numerusform>
            <numerusform>%n done</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n failed</numerusform>
            <numerusform>%n failed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 of %n worker(s) at work</source>
        <translation>
            <numerusform>%1 of %n worker at work</numerusform>
            <numerusform>%1 of %n workers at work</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PromptChips</name>
    <message numerus="yes">
        <source>▲ %n word(s) over</source>
        <translation>
            <numerusform>▲ %n word over</numerusform>
            <numerusform>▲ %n words over</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ClosingSheet</name>
    <message numerus="yes">
        <source>%n picture(s) are not made yet.</source>
        <translation>
            <numerusform>%n picture is not made yet.</numerusform>
            <numerusform>%n pictures are not made yet.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ExportPage</name>
    <message numerus="yes">
        <source>Export %n chosen picture(s)</source>
        <translation>
            <numerusform>Export %n chosen picture</numerusform>
            <numerusform>Export %n chosen pictures</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Export all %n picture(s) shown</source>
        <translation>
            <numerusform>Export the %n picture shown</numerusform>
            <numerusform>Export all %n pictures shown</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) exported.</source>
        <translation>
            <numerusform>%n picture exported.</numerusform>
            <numerusform>%n pictures exported.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n could not be read.</source>
        <translation>
            <numerusform>%n could not be read.</numerusform>
            <numerusform>%n could not be read.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::FilterBar</name>
    <message numerus="yes">
        <source>%n picture(s) are shown</source>
        <translation>
            <numerusform>%n picture is shown</numerusform>
            <numerusform>%n pictures are shown</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n selected</source>
        <translation>
            <numerusform>%n selected</numerusform>
            <numerusform>%n selected</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::GalleryModel</name>
    <message numerus="yes">
        <source>%n star(s)</source>
        <translation>
            <numerusform>%n star</numerusform>
            <numerusform>%n stars</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::GalleryPage</name>
    <message numerus="yes">
        <source>%n picture(s) moved to the trash.</source>
        <translation>
            <numerusform>%n picture moved to the trash.</numerusform>
            <numerusform>%n pictures moved to the trash.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) taken out of the trash.</source>
        <translation>
            <numerusform>%n picture taken out of the trash.</numerusform>
            <numerusform>%n pictures taken out of the trash.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) marked.</source>
        <translation>
            <numerusform>%n picture marked.</numerusform>
            <numerusform>%n pictures marked.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n prompt(s) copied.</source>
        <translation>
            <numerusform>%n prompt copied.</numerusform>
            <numerusform>%n prompts copied.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) copied.</source>
        <translation>
            <numerusform>%n picture copied.</numerusform>
            <numerusform>%n pictures copied.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::ImportSheet</name>
    <message numerus="yes">
        <source>Add %n prompt(s)</source>
        <translation>
            <numerusform>Add %n prompt</numerusform>
            <numerusform>Add %n prompts</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::InfoPanel</name>
    <message numerus="yes">
        <source>%n pictures are chosen; tags and albums go to all of them.</source>
        <translation>
            <numerusform>%n picture is chosen; tags and albums go to it.</numerusform>
            <numerusform>%n pictures are chosen; tags and albums go to all of them.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::MainWindow</name>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n failed</numerusform>
            <numerusform>%n failed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s)</source>
        <translation>
            <numerusform>%n picture</numerusform>
            <numerusform>%n pictures</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptListModel</name>
    <message numerus="yes">
        <source>Add %n prompt(s)</source>
        <translation>
            <numerusform>Add %n prompt</numerusform>
            <numerusform>Add %n prompts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Remove %n prompt(s)</source>
        <translation>
            <numerusform>Remove %n prompt</numerusform>
            <numerusform>Remove %n prompts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move %n prompt(s)</source>
        <translation>
            <numerusform>Move %n prompt</numerusform>
            <numerusform>Move %n prompts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Edit %n prompt(s)</source>
        <translation>
            <numerusform>Edit %n prompt</numerusform>
            <numerusform>Edit %n prompts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Turn %n prompt(s) on</source>
        <translation>
            <numerusform>Turn %n prompt on</numerusform>
            <numerusform>Turn %n prompts on</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Turn %n prompt(s) off</source>
        <translation>
            <numerusform>Turn %n prompt off</numerusform>
            <numerusform>Turn %n prompts off</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n step(s)</source>
        <translation>
            <numerusform>%n step</numerusform>
            <numerusform>%n steps</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptSheet</name>
    <message numerus="yes">
        <source>%n prompt(s)</source>
        <translation>
            <numerusform>%n prompt</numerusform>
            <numerusform>%n prompts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n word(s) at the end are not read</source>
        <translation>
            <numerusform>%n word at the end is not read</numerusform>
            <numerusform>%n words at the end are not read</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::PromptTools</name>
    <message numerus="yes">
        <source>%n prompt(s) saved in %1.</source>
        <translation>
            <numerusform>%n prompt saved in %1.</numerusform>
            <numerusform>%n prompts saved in %1.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n prompt(s) added from %1.</source>
        <translation>
            <numerusform>%n prompt added from %1.</numerusform>
            <numerusform>%n prompts added from %1.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::QueueCommands</name>
    <message numerus="yes">
        <source>%n picture(s) cancelled.</source>
        <translation>
            <numerusform>%n picture cancelled.</numerusform>
            <numerusform>%n pictures cancelled.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) wait again.</source>
        <translation>
            <numerusform>%n picture waits again.</numerusform>
            <numerusform>%n pictures wait again.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) moved to the front.</source>
        <translation>
            <numerusform>%n picture moved to the front.</numerusform>
            <numerusform>%n pictures moved to the front.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) moved.</source>
        <translation>
            <numerusform>%n picture moved.</numerusform>
            <numerusform>%n pictures moved.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) dismissed.</source>
        <translation>
            <numerusform>%n picture dismissed.</numerusform>
            <numerusform>%n pictures dismissed.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) wait again with other settings.</source>
        <translation>
            <numerusform>%n picture wait again with other settings.</numerusform>
            <numerusform>%n pictures wait again with other settings.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::QueueModel</name>
    <message numerus="yes">
        <source>%n attempt(s)</source>
        <translation>
            <numerusform>%n attempt</numerusform>
            <numerusform>%n attempts</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RequeueSheet</name>
    <message numerus="yes">
        <source>Make %n job(s) again, changed</source>
        <translation>
            <numerusform>Make %n job again, changed</numerusform>
            <numerusform>Make %n jobs again, changed</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunCost</name>
    <message numerus="yes">
        <source>%n s</source>
        <translation>
            <numerusform>%n s</numerusform>
            <numerusform>%n s</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n min</source>
        <translation>
            <numerusform>%n min</numerusform>
            <numerusform>%n min</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about %1 on %n device(s)</source>
        <translation>
            <numerusform>about %1 on %n device</numerusform>
            <numerusform>about %1 on %n devices</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunEndings</name>
    <message numerus="yes">
        <source>Stopped. %n picture(s) kept.</source>
        <translation>
            <numerusform>Stopped. %n picture kept.</numerusform>
            <numerusform>Stopped. %n pictures kept.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) failed; the others are there.</source>
        <translation>
            <numerusform>%n picture failed; the others are there.</numerusform>
            <numerusform>%n pictures failed; the others are there.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n picture(s) failed.</source>
        <translation>
            <numerusform>%n picture failed.</numerusform>
            <numerusform>%n pictures failed.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All %n picture(s) are there.</source>
        <translation>
            <numerusform>The picture is there.</numerusform>
            <numerusform>All %n pictures are there.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::RunForm</name>
    <message numerus="yes">
        <source>%n prompt(s)</source>
        <translation>
            <numerusform>%n prompt</numerusform>
            <numerusform>%n prompts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%L1 picture(s)</source>
        <translation>
            <numerusform>%L1 picture</numerusform>
            <numerusform>%L1 pictures</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::StopCommands</name>
    <message numerus="yes">
        <source>%n picture(s) stopped.</source>
        <translation>
            <numerusform>%n picture stopped.</numerusform>
            <numerusform>%n pictures stopped.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::TimeLine</name>
    <message numerus="yes">
        <source>%n attempt(s)</source>
        <translation>
            <numerusform>%n attempt</numerusform>
            <numerusform>%n attempts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Run %1, %n picture(s) from %2</source>
        <translation>
            <numerusform>Run %1, %n picture from %2</numerusform>
            <numerusform>Run %1, %n pictures from %2</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>polyptych::ui::TopBar</name>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n failed</numerusform>
            <numerusform>%n failed</numerusform>
        </translation>
    </message>
</context>
</TS>
